"""App instances, users, bots, admins, retention."""

from __future__ import annotations

from typing import Any

from chime_local.chime.backend import Backend, Parameters, Response, check_quota, paginate, to_datetime
from chime_local.chime.errors import ChimeError
from chime_local.chime.state import AppInstance, Write

_MAX_APP_INSTANCES = 100
_MAX_USERS = 100_000
_MAX_ADMINS = 100


class Identity:
    """The operations of chime-sdk-identity that management needs."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create_app_instance(self, parameters: Parameters) -> Response:
        """Create an app instance."""
        check_quota(len(self._backend.app_instances), _MAX_APP_INSTANCES, "app instances per account")
        arn = self._backend.new_app_instance_arn()
        self._backend.app_instances[arn] = AppInstance(
            arn, parameters["Name"], parameters.get("Metadata") or "", self._backend.clock()
        )
        if parameters.get("Tags"):
            self._backend.add_tags(arn, parameters["Tags"])
        return {"AppInstanceArn": arn}

    def describe_app_instance(self, parameters: Parameters) -> Response:
        """Describe an app instance."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        return {"AppInstance": self._describe_app_instance(app)}

    def _describe_app_instance(self, app: AppInstance) -> dict[str, Any]:
        return {
            "AppInstanceArn": app.arn,
            "Name": app.name,
            "Metadata": app.metadata,
            "CreatedTimestamp": to_datetime(app.created),
            "LastUpdatedTimestamp": to_datetime(app.created),
        }

    def update_app_instance(self, parameters: Parameters) -> Response:
        """Change an app instance."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        app.name, app.metadata = parameters["Name"], parameters["Metadata"]
        return {"AppInstanceArn": app.arn}

    def delete_app_instance(self, parameters: Parameters) -> Response:
        """Delete an app instance with all that is in it."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        for arn in [arn for arn in self._backend.tags if arn == app.arn or arn.startswith(f"{app.arn}/")]:
            self._backend.remove_tags(arn)
        del self._backend.app_instances[app.arn]
        return {}

    def list_app_instances(self, parameters: Parameters) -> Response:
        """List the app instances of the region."""
        mine = [
            app for app in self._backend.app_instances.values() if app.arn.split(":")[3] == self._backend.region
        ]
        shown = [{"AppInstanceArn": app.arn, "Name": app.name, "Metadata": app.metadata} for app in mine]
        return paginate(shown, parameters, "AppInstances")

    def create_app_instance_user(self, parameters: Parameters) -> Response:
        """Create a user."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        if len(app.identities) >= _MAX_USERS:
            users = sum("/user/" in arn for arn in app.identities)
            check_quota(users, _MAX_USERS, "users per app instance")
        arn = f"{app.arn}/user/{parameters['AppInstanceUserId']}"
        self._create_identity(app, arn, parameters, "AppInstanceUserArn")
        if parameters.get("ExpirationSettings"):
            app.identities[arn]["ExpirationSettings"] = parameters["ExpirationSettings"]
        return {"AppInstanceUserArn": arn}

    def put_app_instance_user_expiration_settings(self, parameters: Parameters) -> Response:
        """Set when a user is to expire; without settings, never. Nobody expires here."""
        _, user = self._get_identity(parameters["AppInstanceUserArn"])
        given = {name: parameters[name] for name in ("ExpirationSettings",) if parameters.get(name)}
        user.pop("ExpirationSettings", None)
        user |= given
        return {"AppInstanceUserArn": parameters["AppInstanceUserArn"], **given}

    def create_app_instance_bot(self, parameters: Parameters) -> Response:
        """Create a bot; its Lex bot is not looked at."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        arn = f"{app.arn}/bot/{self._backend.new_id()}"
        self._create_identity(app, arn, parameters, "AppInstanceBotArn")
        app.identities[arn]["Configuration"] = parameters["Configuration"]
        return {"AppInstanceBotArn": arn}

    def _create_identity(self, app: AppInstance, arn: str, parameters: Parameters, key: str) -> None:
        if arn in app.identities:
            raise ChimeError("Conflict", f"{arn} is there already")
        now = to_datetime(self._backend.clock())
        app.identities[arn] = {
            key: arn,
            "Name": parameters.get("Name", ""),
            "Metadata": parameters.get("Metadata") or "",
            "CreatedTimestamp": now,
            "LastUpdatedTimestamp": now,
        }
        app.new_identities[arn] = Write(self._backend.clock())
        if parameters.get("Tags"):
            self._backend.add_tags(arn, parameters["Tags"])

    def _get_identity(self, arn: str) -> tuple[AppInstance, dict[str, Any]]:
        app = self._backend.get_app_instance(arn)
        if arn not in app.identities:
            raise self._backend.not_found_error("user or bot", arn)
        return app, app.identities[arn]

    def describe_app_instance_user(self, parameters: Parameters) -> Response:
        """Describe a user."""
        return {"AppInstanceUser": self._get_identity(parameters["AppInstanceUserArn"])[1]}

    def describe_app_instance_bot(self, parameters: Parameters) -> Response:
        """Describe a bot."""
        return {"AppInstanceBot": self._get_identity(parameters["AppInstanceBotArn"])[1]}

    def update_app_instance_user(self, parameters: Parameters) -> Response:
        """Change a user."""
        _, user = self._get_identity(parameters["AppInstanceUserArn"])
        user |= {"Name": parameters["Name"], "Metadata": parameters["Metadata"]}
        return {"AppInstanceUserArn": parameters["AppInstanceUserArn"]}

    def update_app_instance_bot(self, parameters: Parameters) -> Response:
        """Change a bot."""
        _, bot = self._get_identity(parameters["AppInstanceBotArn"])
        keys = ("Name", "Metadata", "Configuration")
        bot |= {key: parameters[key] for key in keys if key in parameters}
        return {"AppInstanceBotArn": parameters["AppInstanceBotArn"]}

    def delete_app_instance_user(self, parameters: Parameters) -> Response:
        """Delete a user; whether one who is admin can be deleted is unknown of AWS."""
        self._delete_identity(parameters["AppInstanceUserArn"])
        return {}

    def delete_app_instance_bot(self, parameters: Parameters) -> Response:
        """Delete a bot."""
        self._delete_identity(parameters["AppInstanceBotArn"])
        return {}

    def _delete_identity(self, arn: str) -> None:
        app, _ = self._get_identity(arn)
        if arn in app.admins and self._backend.behaviors.delete_admin_user == "conflict":
            raise ChimeError("Conflict", f"{arn} is AppInstanceAdmin")
        app.admins.pop(arn, None)
        del app.identities[arn]
        self._backend.remove_tags(arn)
        for channel in app.channels.values():
            channel.members.pop(arn, None)
            channel.moderators.pop(arn, None)
            channel.bans.pop(arn, None)

    def list_app_instance_users(self, parameters: Parameters) -> Response:
        """List users."""
        return self._list_identities(parameters, "AppInstanceUserArn", "AppInstanceUsers")

    def list_app_instance_bots(self, parameters: Parameters) -> Response:
        """List bots."""
        return self._list_identities(parameters, "AppInstanceBotArn", "AppInstanceBots")

    def _list_identities(self, parameters: Parameters, key: str, listed: str) -> Response:
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        names = (key, "Name", "Metadata")
        shown = [{n: one[n] for n in names} for one in app.identities.values() if key in one]
        return {"AppInstanceArn": app.arn, **paginate(shown, parameters, listed)}

    def create_app_instance_admin(self, parameters: Parameters) -> Response:
        """Make a user or bot an admin."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        arn = parameters["AppInstanceAdminArn"]
        if arn not in app.identities:
            raise ChimeError("BadRequest", f"{arn} is not there")
        if arn in app.admins:
            raise ChimeError("Conflict", f"{arn} is admin already")
        check_quota(len(app.admins), _MAX_ADMINS, "admins per app instance")
        app.admins[arn] = self._backend.clock()
        app.new_admins[arn] = Write(self._backend.clock())
        return {"AppInstanceAdmin": self._admin(app, arn), "AppInstanceArn": app.arn}

    def _admin(self, app: AppInstance, arn: str) -> dict[str, str]:
        return {"Arn": arn, "Name": str(app.identities[arn]["Name"])}

    def describe_app_instance_admin(self, parameters: Parameters) -> Response:
        """Describe an admin."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        arn = parameters["AppInstanceAdminArn"]
        if arn not in app.admins:
            raise self._backend.not_found_error("admin", arn)
        shown = {
            "Admin": self._admin(app, arn),
            "AppInstanceArn": app.arn,
            "CreatedTimestamp": to_datetime(app.admins[arn]),
        }
        return {"AppInstanceAdmin": shown}

    def delete_app_instance_admin(self, parameters: Parameters) -> Response:
        """Make an admin an ordinary user again."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        if parameters["AppInstanceAdminArn"] not in app.admins:
            raise self._backend.not_found_error("admin", parameters["AppInstanceAdminArn"])
        del app.admins[parameters["AppInstanceAdminArn"]]
        return {}

    def list_app_instance_admins(self, parameters: Parameters) -> Response:
        """List admins."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        shown = [{"Admin": self._admin(app, arn)} for arn in app.admins]
        return {"AppInstanceArn": app.arn, **paginate(shown, parameters, "AppInstanceAdmins")}

    def put_app_instance_retention_settings(self, parameters: Parameters) -> Response:
        """Set how long messages are kept; an empty ChannelRetentionSettings switches it off."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        app.retention = parameters["AppInstanceRetentionSettings"]
        return {"AppInstanceRetentionSettings": app.retention}

    def get_app_instance_retention_settings(self, parameters: Parameters) -> Response:
        """Return how long messages are kept."""
        return {
            "AppInstanceRetentionSettings": self._backend.get_app_instance(parameters["AppInstanceArn"]).retention
        }
