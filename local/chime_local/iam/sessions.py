"""Patches MiniStack's STS: transitive session tags, and the user id of Lambdas' sessions.

Session tags themselves and the trust policy's `sts:TagSession` are MiniStack's own (docs/adr/0010).
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from chime_local.cloudformation._ministack import Iam

Tags = list[dict[str, str]]
_caller: ContextVar[str] = ContextVar("caller", default="")
_transitive: ContextVar[tuple[str, ...]] = ContextVar("transitive", default=())


class Sessions:
    """Patches functions of MiniStack's STS; each calls the original where that is right."""

    def __init__(self, ministack: Iam) -> None:
        self._ministack = ministack
        self._handle = ministack.handle_sts
        self._tags = ministack.session_tags
        self._register = ministack.register_session

    def install(self) -> None:
        """Replace MiniStack's functions with the methods of this class."""
        self._ministack.handle_sts = self._handle_request
        self._ministack.session_tags = self._session_tags
        self._ministack.register_session = self._register_session

    async def _handle_request(self, method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        """Keep the caller's access key while the request is served."""
        caller = _caller.set(self._ministack.access_key_of(headers, query))
        transitive = _transitive.set(())
        try:
            return await self._handle(method, path, headers, body, query)
        finally:
            _transitive.reset(transitive)
            _caller.reset(caller)

    def _session_tags(self, parameters: Any, check: bool = True) -> Any:
        """Return the session tags of a request, and the transitive ones of the caller's session."""
        tags, error = self._tags(parameters, check)
        if error or self._ministack.sts_parameter(parameters, "Action") != "AssumeRole":
            return tags, error
        inherited = self._inherited()
        names = {tag["Key"].lower() for tag in inherited}
        if check and any(tag["Key"].lower() in names for tag in tags):
            message = (
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive "
            )
            return None, self._ministack.sts_error(
                400, "InvalidParameterValue", f"{message}tag key from the calling session.", ns="sts"
            )
        _transitive.set((*_transitive_keys(parameters), *names))
        return [*tags, *inherited], None

    def _inherited(self) -> Tags:
        session = self._ministack.sessions.get(_caller.get()) or {}
        keys = session.get("TransitiveTagKeys", ())
        return [tag for tag in session.get("SessionTags") or [] if tag["Key"].lower() in keys]

    def _register_session(self, access_key: str, session: dict[str, Any]) -> None:
        """Store the session's transitive tag keys, and give a Lambda's session the user id that AWS gives."""
        session["TransitiveTagKeys"] = _transitive.get()
        _, _, names = str(session.get("Arn", "")).partition(":assumed-role/")
        role_name, _, session_name = names.partition("/")
        if role_name and session.get("UserId") == f"{role_name}:{session_name}":
            account = str(session["Arn"]).split(":")[4]
            role = self._ministack.roles.get_scoped(account, None, role_name) or {}
            session["UserId"] = f"{role.get('RoleId', role_name)}:{session_name}"
        self._register(access_key, session)


def _transitive_keys(parameters: Any) -> list[str]:
    """Return TransitiveTagKeys of a request, in Query or JSON form, in lower case."""
    listed = [
        value[0] if isinstance(value, list) else value
        for name, value in parameters.items()
        if name.startswith("TransitiveTagKeys.member.")
    ]
    return [str(key).lower() for key in listed or parameters.get("TransitiveTagKeys", [])]
