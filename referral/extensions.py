"""Objects that Flask owns and only doors use."""

from flask_alembic import Alembic
from flask_babel import Babel
from flask_limiter import Limiter
from flask_mailman import Mail
from flask_sqlalchemy_lite import SQLAlchemy
from flask_wtf import CSRFProtect

from referral.tables import metadata

db = SQLAlchemy()
alembic = Alembic(run_mkdir=False, command_name="", metadatas=metadata)
babel = Babel()
csrf = CSRFProtect()
mail = Mail()
#: counts how often somebody asks; every limit says itself who that is
limiter = Limiter(key_func=lambda: "", headers_enabled=True, in_memory_fallback_enabled=True)
