"""Commands: `flask <group> <command>`. Options are parsed, one operation runs, the answer is printed."""

from flask import Flask

from referral.cli import access as access  # its commands are of the group `gaps`
from referral.cli import accounts, audit, db, directory, gaps, jobs, match, needs, places
from referral.cli import siting as siting  # its command is one of the group `gaps`
from referral.cli import upkeep as upkeep  # its command is one of the group `directory`
from referral.cli.demo import command as demo

COMMANDS = (
    accounts.group,
    audit.group,
    db.group,
    demo.command,
    directory.group,
    gaps.group,
    jobs.group,
    needs.group,
    places.group,
    match.command,
)


def register_commands(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)
