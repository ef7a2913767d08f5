"""The life of `Custom::ChimeAppInstanceAdmin`: a user or bot that is admin of its app instance."""

from __future__ import annotations

from chime_channel._api import ServiceError
from chime_channel._arns import app_instance_of, is_app_instance_arn
from chime_channel._request import UNMADE, Refused, Work

OUTWAIT = 420.0


def create(work: Work) -> dict[str, str]:
    """Make the user an admin; one that is admin already stays it."""
    admin, app_instance = _declared(work)
    try:
        work.api.call("CreateAppInstanceAdmin", AppInstanceArn=app_instance, AppInstanceAdminArn=admin)
    except ServiceError as refused:
        if refused.code != "Conflict":
            raise
    work.answered = admin
    return {"AppInstanceAdminArn": admin, "AppInstanceArn": app_instance}


def update(work: Work) -> dict[str, str]:
    """Make another user admin: another physical resource, so that CloudFormation deletes the old one afterwards."""
    before = str(work.request.old_properties.get("AppInstanceAdminArn"))
    admin, _ = _declared(work)
    if before != admin and work.request.physical_id == admin:
        # The rollback of an Update that failed, perhaps after its effect: CloudFormation has never heard of it.
        _demote(work, before)
    return create(work)


def delete(work: Work) -> dict[str, str]:
    """Take the right away again; a user who is no admin, or no more there, is fine."""
    physical_id = work.request.physical_id
    if physical_id.startswith(UNMADE):
        return {}
    admin = physical_id
    if app_instance_of(admin) is None:
        # CloudFormation made this id up, because no Create has answered. One may still be running.
        admin = str(work.request.properties.get("AppInstanceAdminArn", ""))
        effects = work.api.effects
        effects.sleep(max(0.0, min(OUTWAIT, work.api.deadline - effects.clock() - 30)))
    _demote(work, admin)
    return {}


def _demote(work: Work, admin: str) -> None:
    app_instance = app_instance_of(admin)
    if app_instance is None:
        return
    try:
        work.api.call("DeleteAppInstanceAdmin", AppInstanceArn=app_instance, AppInstanceAdminArn=admin)
    except ServiceError as refused:
        # No bearer takes part, so no role is judged: Forbidden, too, says that there is no such admin.
        if not refused.missing:
            raise


def _declared(work: Work) -> tuple[str, str]:
    properties = work.request.properties
    admin, app_instance = properties.get("AppInstanceAdminArn"), properties.get("AppInstanceArn")
    problems = []
    if not isinstance(app_instance, str) or not is_app_instance_arn(app_instance):
        problems.append(f"AppInstanceArn: must be an app instance's ARN, got {app_instance!r:.100}")
    if not isinstance(admin, str) or app_instance_of(admin) is None:
        problems.append(f"AppInstanceAdminArn: must be the ARN of a user or bot, got {admin!r:.100}")
    elif app_instance_of(admin) != app_instance:
        problems.append("AppInstanceAdminArn: belongs to another app instance than AppInstanceArn")
    unknown = set(properties) - {"ServiceToken", "ServiceTimeout", "AppInstanceArn", "AppInstanceAdminArn"}
    problems += [
        f"{name!r:.60}: is no property of Custom::ChimeAppInstanceAdmin" for name in sorted(unknown, key=str)
    ]
    if problems:
        raise Refused("Properties of this resource break rules, and nothing was changed: " + "; ".join(problems))
    return str(admin), str(app_instance)
