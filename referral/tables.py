"""Imports every module that declares a table, so that the metadata is whole."""

from referral.accounts import models as _accounts  # noqa: F401
from referral.casework import models as _casework  # noqa: F401
from referral.changes import models as _changes  # noqa: F401
from referral.core import sealing as _sealing  # noqa: F401
from referral.core.db import Base
from referral.directory import models as _directory  # noqa: F401
from referral.directory.duplicates import models as _duplicates  # noqa: F401
from referral.directory.intake import models as _intake  # noqa: F401
from referral.directory.upkeep import models as _upkeep  # noqa: F401
from referral.matching import models as _matching  # noqa: F401
from referral.places import models as _places  # noqa: F401
from referral.planning.access import models as _access  # noqa: F401
from referral.planning.fairness import models as _fairness  # noqa: F401
from referral.planning.gaps import models as _gaps  # noqa: F401
from referral.planning.proposals import models as _proposals  # noqa: F401
from referral.planning.rehearsal import models as _rehearsal  # noqa: F401
from referral.planning.siting import models as _siting  # noqa: F401
from referral.planning.unmet import models as _unmet  # noqa: F401
from referral.referrals import models as _referrals  # noqa: F401
from referral.referrals.advocacy import models as _advocacy  # noqa: F401
from referral.referrals.letters import models as _letters  # noqa: F401

metadata = Base.metadata
