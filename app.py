"""What a server and the `flask` command start from."""

import os

from referral.config import Settings
from referral.factory import create_app

app = create_app(Settings.from_env(os.environ))
