"""Sessions: tokens that stand for a user until a time after their last use."""

from __future__ import annotations

from collections.abc import Callable

from reference_impl.world.model import User


class Sessions:
    """The open sessions; `clock` gives seconds, `new_token` a token that nobody can guess."""

    def __init__(self, lifetime_s: float, clock: Callable[[], float], new_token: Callable[[], str]) -> None:
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._new_token = new_token
        self._sessions: dict[str, tuple[User, float]] = {}

    def open(self, user: User) -> str:
        """A new session; returns its token."""
        token = self._new_token()
        self._sessions[token] = (user, self._clock() + self._lifetime_s)
        return token

    def find(self, token: str) -> User | None:
        """Whose session that is, prolonged by this use; None when it is unknown or over."""
        found = self._sessions.get(token)
        if found is None:
            return None
        user, ends_at = found
        now = self._clock()
        if now >= ends_at:
            del self._sessions[token]
            return None
        self._sessions[token] = (user, now + self._lifetime_s)
        return user

    def owner(self, token: str) -> str:
        """The name of the user whose session that is, not prolonged by the question; "" when there is none."""
        found = self._sessions.get(token)
        return "" if found is None or self._clock() >= found[1] else found[0].name

    def tokens(self) -> tuple[str, ...]:
        """The tokens of the open sessions, the newest last."""
        return tuple(self._sessions)

    def close(self, token: str) -> None:
        """Ends one session, if it is open."""
        self._sessions.pop(token, None)

    def close_all(self) -> None:
        """Ends every session."""
        self._sessions.clear()

    def expire(self, user_name: str) -> int:
        """Ends every session of a user; returns how many there were."""
        tokens = [token for token, (user, _) in self._sessions.items() if user.name == user_name]
        for token in tokens:
            del self._sessions[token]
        return len(tokens)
