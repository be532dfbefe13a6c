"""Tables of the places: provinces, regencies and kecamatan with their points."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Base, Identified


class Place(Base):
    """An administrative area of Indonesia and the one point that stands for it, where known."""

    __tablename__ = "place"
    __table_args__ = (
        CheckConstraint("level between 1 and 4", name="level"),
        CheckConstraint("(latitude is null) = (longitude is null)", name="point_whole"),
        CheckConstraint("(latitude is null) = (precision_km is null)", name="point_precision"),
        Index("ix_place_level_parent_code", "level", "parent_code"),
    )

    #: Kemendagri's dotted code: 33, 33.74, 33.74.11.
    code: Mapped[str] = mapped_column(primary_key=True)
    #: 1 province, 2 kabupaten or kota, 3 kecamatan.
    level: Mapped[int]
    name: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("place.code"))
    #: Degrees; None where nobody knows surely: then the parent's point stands in, with its precision.
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    #: About three quarters of what lies in the area is nearer to the point than this.
    precision_km: Mapped[float | None]
    point_source: Mapped[str | None]
    population: Mapped[int | None]
    #: IANA zone; on provinces and regencies only.
    time_zone: Mapped[str | None]
    #: Where the row came from: `packages`, or the name given to an import, which packages never undo.
    source: Mapped[str]


class PlaceAlias(Base):
    """Another name people use for a place: Jogja, Jaksel, or the seat of a kabupaten."""

    __tablename__ = "place_alias"

    alias: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)
    #: `name` for another name of the area itself, `seat` for its capital.
    kind: Mapped[str]


class PlaceLoad(Identified):
    """One time the gazetteer changed; the newest tells a process whether its copy in memory is old."""

    __tablename__ = "place_load"

    source: Mapped[str]
    changed_count: Mapped[int]


class AreaBoundary(Base):
    """The outline of an area as it was imported, made lighter for maps."""

    __tablename__ = "area_boundary"

    code: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)
    #: polygon or multipolygon as WKB, longitude and latitude in degrees
    shape: Mapped[bytes]
    #: box around it, for quick finding
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    #: before it was made lighter
    area_km2: Mapped[float]
    source: Mapped[str]
