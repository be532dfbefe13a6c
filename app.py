"""What a server and the `flask` command start from."""

import gc
import os

from referral.config import Settings
from referral.factory import create_app

app = create_app(Settings.from_env(os.environ))
# All that is loaded by now stays: the collector need not look through it again in the middle of a request.
gc.freeze()
