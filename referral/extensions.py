"""Objects that Flask owns and only doors use."""

from flask_alembic import Alembic
from flask_babel import Babel
from flask_limiter import Limiter
from flask_mailman import Mail
from flask_sqlalchemy_lite import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy.orm import Session

from referral.tables import metadata

db = SQLAlchemy()
alembic = Alembic(run_mkdir=False, command_name="", metadatas=metadata)
babel = Babel()
csrf = CSRFProtect()
mail = Mail()
#: counts how often somebody asks; every limit says itself who that is
limiter = Limiter(key_func=lambda: "", headers_enabled=True, in_memory_fallback_enabled=True)

#: the engine of a copy that is only read, where there is one
REPLICA = "replica"


def reading() -> Session:
    """A session of its own for a long reading: on the replica where there is one, which may be a moment behind."""
    return (
        db.sessionmaker(bind=db.get_engine(REPLICA)) if REPLICA in db.engines else db.sessionmaker()
    )
