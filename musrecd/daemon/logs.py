"""The daemon's log: one line for each event, key=value, safe to show whatever a tag or a name holds."""

import logging
import sys
from collections.abc import Mapping

from logfmter import Logfmter

from musrecd.config import COMPONENTS
from musrecd.daemon.repeats import Repeats
from musrecd.display import printable, printable_path

ROOT = "musrecd"
_DAEMON = "musrecd.daemon"
_COMPONENT = "component"


class _OneLine(Logfmter):
    """Paths are bytes here; what could steer a terminal is escaped beyond what logfmt asks for."""

    @classmethod
    def format_value(cls, value: object) -> str:
        shown: str = super().format_value(printable_path(value) if isinstance(value, bytes) else value)
        return shown

    @classmethod
    def format_string(cls, value: str) -> str:
        return printable(super().format_string(value))

    @classmethod
    def get_extra(cls, record: logging.LogRecord) -> dict[str, object]:
        # What is an extra is no key at the beginning of the line.
        return {key: value for key, value in super().get_extra(record).items() if key != _COMPONENT}


def set_up(levels: Mapping[str, str], *, with_time: bool) -> None:
    """Write the log to standard error; `levels`: component → level, those not named say what is worth knowing."""
    keys, mapping = ["at", "in"], {"at": "levelname", "in": _COMPONENT}
    if with_time:
        keys, mapping = ["ts", *keys], {"ts": "asctime", **mapping}
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(keys=keys, mapping=mapping))
    handler.addFilter(_name_component)
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers = [handler]
    logging.captureWarnings(True)
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(logging.INFO)
    for component in COMPONENTS:
        level = levels.get(component, logging.getLevelName(logging.NOTSET))
        logging.getLogger(f"{_DAEMON}.{component}").setLevel(level.upper())


def _name_component(record: logging.LogRecord) -> bool:
    record.component = record.name.rpartition(".")[2]
    return True
