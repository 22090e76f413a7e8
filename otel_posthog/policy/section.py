"""What the sections of a policy share: a value is set once; sections are compared, hashed and shown by their values.

`dataclasses` would compile these methods for each class, at every start of an app: two thirds of what a class takes. So
a section is a `@dataclass(slots=True, repr=False, eq=False)` that has them from here.
"""

from __future__ import annotations

from dataclasses import Field, FrozenInstanceError
from typing import Any, ClassVar


class Section:
    """The base of a section: immutable, by its values."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, name):
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))

    def __repr__(self) -> str:
        shown = (name for name, each in self.__dataclass_fields__.items() if each.repr)
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _values(section: Section) -> tuple[object, ...]:
    return tuple([getattr(section, name) for name in section.__dataclass_fields__])
