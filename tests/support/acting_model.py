"""Who acts, told plainly: what `docs/identity.md` says of requests, blocks and spans, without a thought of speed.

A `Model` does what a program does, beside the real thing, and says who each item is about, or that it is withheld.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from telemetry import NOBODY

WITHHELD = "withheld"

CONSENT, USER = "analytics.consent", "analytics.user.id"
GPC, DNT = "http.request.header.sec_gpc", "http.request.header.dnt"

Said = dict[str, object]


def objects(said: Said) -> bool:
    """Return whether attributes deny consent, or a browser does."""
    return said.get(CONSENT) is False or said.get(GPC) == "1" or said.get(DNT) == "1"


@dataclass
class Open:
    """A consent that was given where nobody was known: of the first who comes to act."""

    owner: str | None = None

    def take(self, user: str | None) -> bool:
        """Have `user` come to act; return whether it is theirs."""
        self.owner = self.owner or user
        return user is None or self.owner == user


@dataclass
class Word:
    """What was said of consent by blocks, or by a request: of everybody, or of users by name."""

    user: str | None = None
    everybody: bool = False
    denied: set[str] = field(default_factory=set)
    consented: set[str | None] = field(default_factory=set)
    opened: list[Open] = field(default_factory=list)

    def say(
        self, user: str | None, consent: bool | None, owner: str | None, in_force: str | None, new: Open | None = None
    ) -> None:
        """Take a word, of `owner` where that is somebody; a consent is of who acts where it is nobody's."""
        self.user = user or self.user
        if consent is True:
            who = owner or self.user or in_force
            if who is None:
                self.opened.append(new or Open())
            else:
                self.consented.add(who)
        elif consent is False and owner is None:
            self.everybody = True
        elif consent is False:
            self.denied.add(str(owner))
        for each in self.opened:
            each.take(self.user)


@dataclass
class Span:
    """A span: what it says now, whether it denies for what is inside it, and the blocks around its start."""

    said: Said
    is_root: bool
    is_recorded: bool
    is_event: bool = False
    is_silent: bool = False
    denies: bool = False
    word: Word = field(default_factory=Word)
    blocks: tuple[Word, ...] = ()
    events: list[tuple[str, Said]] = field(default_factory=list)


@dataclass
class Model:
    """One program: at most one request, blocks and spans around where it is, and what became of its items.

    Attributes:
        is_request: Whether the outermost span is one of a request.
        requires: Whether the policy requires a consent.
        outcomes: Name of an item -> who it is about, or `WITHHELD`.
    """

    is_request: bool
    requires: bool
    record: Word = field(default_factory=Word)
    blocks: list[Word] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)

    def start(self, said: Said, *, is_recorded: bool, is_event: bool) -> None:
        """Start a span that says this."""
        span = Span(dict(said), not self.spans, is_recorded, is_event, blocks=tuple(self.blocks))
        self.spans.append(span)
        if span.is_root and self.is_request:
            self._root_says(said)
        else:
            span.denies = objects(said)
            if said.get(CONSENT) is True and not objects(said):
                span.word.say(None, True, said.get(USER), self._acting(span))  # type: ignore[arg-type]

    def set(self, key: str, value: object) -> None:
        """Set an attribute on the innermost span."""
        span = self.spans[-1]
        if not span.is_recorded:
            return
        span.said[key] = value
        if not (span.is_root and self.is_request):
            span.denies |= objects({key: value})
            if key == USER:
                for each in span.word.opened:
                    each.take(str(value))
            elif key == CONSENT and value is True:
                span.word.say(None, True, span.said.get(USER), self._acting(span))  # type: ignore[arg-type]
        elif key == USER:
            consent = False if span.said.get(CONSENT) is False else None
            self.record.say(str(value), consent, str(value), None)
        elif key == CONSENT:
            named = span.said.get(USER)
            owner = str(named) if named is not None and (value is True or named == self.record.user) else None
            self.record.say(None, bool(value), owner, self._in_block(span))
        elif objects({key: value}):
            self.record.everybody = True

    def _root_says(self, said: Said) -> None:
        user = said.get(USER)
        consent = said.get(CONSENT)
        owner = None if user is None else str(user)
        self.record.say(owner, None if consent is None else bool(consent), owner, self._in_block(self.spans[-1]))
        if objects({key: value for key, value in said.items() if key != CONSENT}):
            self.record.everybody = True

    def _in_block(self, span: Span) -> str | None:
        return next((each.user for each in (*span.blocks[-1:], *self.blocks[-1:]) if each.user), None)

    def _acting(self, span: Span) -> str | None:
        return self._in_block(span) or (self.record.user if self.is_request else None)

    def set_user(
        self, user: str | None, consent: bool | None, new: Open | None = None, in_block: str | None = None
    ) -> None:
        """Say who acts in the request."""
        if self.is_request and self.spans:
            around = in_block or (self.blocks[-1].user if self.blocks else None)
            self.record.say(user, consent, user, around, new)

    def enter(self, user: str | None, consent: bool | None) -> None:
        """Enter a block."""
        in_force = self.record.user if self.spans and self.is_request else None
        around = self.blocks[-1] if self.blocks else Word()
        block = Word(around.user, around.everybody, set(around.denied), set(around.consented), list(around.opened))
        new = Open()
        self.set_user(user, consent, new)
        block.say(user, consent, user, in_force, new)
        self.blocks.append(block)

    def leave(self) -> None:
        """Leave the innermost block."""
        self.blocks.pop()

    def log(self, name: str, said: Said) -> None:
        """Emit a log record."""
        self.outcomes[name] = self._judged(said, self.spans[-1:], self.blocks[-1:])

    def end(self, name: str) -> None:
        """End the innermost span."""
        span = self.spans[-1]
        blocks = [*span.blocks[-1:], *self.blocks[-1:]]
        if span.is_recorded and not span.is_silent:
            # The span first: a consent that was nobody's yet is of whom it is about, if it is about somebody.
            if span.is_event:
                self.outcomes[name] = self._judged(span.said, [span], blocks)
            for event, said in span.events:
                self.outcomes[event] = self._judged(said, [span], blocks)
        self.spans.pop()

    def _judged(self, said: Said, own_span: list[Span], blocks: list[Word]) -> str:
        words = [*blocks, *([self.record] if self.spans and self.is_request else [])]
        in_force = next((each.user for each in words if each.user), None)
        of_span = own_span[0].said.get(USER) if own_span else None
        user = said.get(USER) or of_span or in_force
        given = set[str | None]().union(*(each.consented for each in words))
        heard = [*words, *(each.word for each in own_span)]
        given |= set[str | None]().union(*(each.word.consented for each in own_span))
        is_first = [each.take(user) for word in heard for each in word.opened]  # type: ignore[arg-type]
        is_denied = (
            objects(said)
            or any(each.denies for each in self.spans)
            or any(each.everybody or user in each.denied for each in words)
        )
        says_itself = said.get(CONSENT) is True and all(said is not each.said for each in own_span)
        is_given = says_itself or any(is_first) or user in given
        if is_denied or (self.requires and not is_given):
            return WITHHELD
        return str(user or NOBODY)
