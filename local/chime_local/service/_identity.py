"""App instances, users, bots, admins, retention."""

from __future__ import annotations

from typing import Any

from chime_local.service._base import Answer, Base, Parameters
from chime_local.service._errors import ChimeError
from chime_local.service._state import AppInstance, Write

_MAX_APP_INSTANCES = 100
_MAX_USERS = 100_000
_MAX_ADMINS = 100


class Identity(Base):
    """The operations of chime-sdk-identity that management needs."""

    def create_app_instance(self, parameters: Parameters) -> Answer:
        """Create an app instance."""
        self.check_quota(len(self.app_instances), _MAX_APP_INSTANCES, "app instances per account")
        arn = f"arn:{self.partition}:chime:{self.region}:{self.account}:app-instance/{self.uuid()}"
        self.app_instances[arn] = AppInstance(
            arn, parameters["Name"], parameters.get("Metadata") or "", self.clock()
        )
        if parameters.get("Tags"):
            self.put_tags(arn, parameters["Tags"])
        return {"AppInstanceArn": arn}

    def describe_app_instance(self, parameters: Parameters) -> Answer:
        """Describe an app instance."""
        app = self.app_instance(parameters["AppInstanceArn"])
        return {"AppInstance": self._shown_app(app)}

    def _shown_app(self, app: AppInstance) -> dict[str, Any]:
        return {
            "AppInstanceArn": app.arn,
            "Name": app.name,
            "Metadata": app.metadata,
            "CreatedTimestamp": self.time(app.created),
            "LastUpdatedTimestamp": self.time(app.created),
        }

    def update_app_instance(self, parameters: Parameters) -> Answer:
        """Change an app instance."""
        app = self.app_instance(parameters["AppInstanceArn"])
        app.name, app.metadata = parameters["Name"], parameters["Metadata"]
        return {"AppInstanceArn": app.arn}

    def delete_app_instance(self, parameters: Parameters) -> Answer:
        """Delete an app instance with all that is in it."""
        app = self.app_instance(parameters["AppInstanceArn"])
        for arn in [arn for arn in self.tags if arn == app.arn or arn.startswith(f"{app.arn}/")]:
            self.remove_tags(arn)
        del self.app_instances[app.arn]
        return {}

    def list_app_instances(self, parameters: Parameters) -> Answer:
        """List the app instances of the region."""
        mine = [app for app in self.app_instances.values() if app.arn.split(":")[3] == self.region]
        shown = [{"AppInstanceArn": app.arn, "Name": app.name, "Metadata": app.metadata} for app in mine]
        return self.page(shown, parameters, "AppInstances")

    def create_app_instance_user(self, parameters: Parameters) -> Answer:
        """Create a user."""
        app = self.app_instance(parameters["AppInstanceArn"])
        if len(app.identities) >= _MAX_USERS:
            users = sum("/user/" in arn for arn in app.identities)
            self.check_quota(users, _MAX_USERS, "users per app instance")
        arn = f"{app.arn}/user/{parameters['AppInstanceUserId']}"
        self._create(app, arn, parameters, "AppInstanceUserArn")
        if parameters.get("ExpirationSettings"):
            app.identities[arn]["ExpirationSettings"] = parameters["ExpirationSettings"]
        return {"AppInstanceUserArn": arn}

    def put_app_instance_user_expiration_settings(self, parameters: Parameters) -> Answer:
        """Set when a user is to expire; without settings, never. Nobody expires here."""
        _, user = self._one(parameters["AppInstanceUserArn"])
        given = {name: parameters[name] for name in ("ExpirationSettings",) if parameters.get(name)}
        user.pop("ExpirationSettings", None)
        user |= given
        return {"AppInstanceUserArn": parameters["AppInstanceUserArn"], **given}

    def create_app_instance_bot(self, parameters: Parameters) -> Answer:
        """Create a bot; its Lex bot is not looked at."""
        app = self.app_instance(parameters["AppInstanceArn"])
        arn = f"{app.arn}/bot/{self.uuid()}"
        self._create(app, arn, parameters, "AppInstanceBotArn")
        app.identities[arn]["Configuration"] = parameters["Configuration"]
        return {"AppInstanceBotArn": arn}

    def _create(self, app: AppInstance, arn: str, parameters: Parameters, key: str) -> None:
        if arn in app.identities:
            raise ChimeError("Conflict", f"{arn} is there already")
        now = self.time(self.clock())
        app.identities[arn] = {
            key: arn,
            "Name": parameters.get("Name", ""),
            "Metadata": parameters.get("Metadata") or "",
            "CreatedTimestamp": now,
            "LastUpdatedTimestamp": now,
        }
        app.new_identities[arn] = Write(self.clock())
        if parameters.get("Tags"):
            self.put_tags(arn, parameters["Tags"])

    def _one(self, arn: str) -> tuple[AppInstance, dict[str, Any]]:
        app = self.app_instance(arn)
        if arn not in app.identities:
            raise self.missing("user or bot", arn)
        return app, app.identities[arn]

    def describe_app_instance_user(self, parameters: Parameters) -> Answer:
        """Describe a user."""
        return {"AppInstanceUser": self._one(parameters["AppInstanceUserArn"])[1]}

    def describe_app_instance_bot(self, parameters: Parameters) -> Answer:
        """Describe a bot."""
        return {"AppInstanceBot": self._one(parameters["AppInstanceBotArn"])[1]}

    def update_app_instance_user(self, parameters: Parameters) -> Answer:
        """Change a user."""
        _, user = self._one(parameters["AppInstanceUserArn"])
        user |= {"Name": parameters["Name"], "Metadata": parameters["Metadata"]}
        return {"AppInstanceUserArn": parameters["AppInstanceUserArn"]}

    def update_app_instance_bot(self, parameters: Parameters) -> Answer:
        """Change a bot."""
        _, bot = self._one(parameters["AppInstanceBotArn"])
        keys = ("Name", "Metadata", "Configuration")
        bot |= {key: parameters[key] for key in keys if key in parameters}
        return {"AppInstanceBotArn": parameters["AppInstanceBotArn"]}

    def delete_app_instance_user(self, parameters: Parameters) -> Answer:
        """Delete a user; whether one who is admin can be deleted is unknown of AWS."""
        self._delete(parameters["AppInstanceUserArn"])
        return {}

    def delete_app_instance_bot(self, parameters: Parameters) -> Answer:
        """Delete a bot."""
        self._delete(parameters["AppInstanceBotArn"])
        return {}

    def _delete(self, arn: str) -> None:
        app, _ = self._one(arn)
        if arn in app.admins and self.world.delete_admin_user == "conflict":
            raise ChimeError("Conflict", f"{arn} is AppInstanceAdmin")
        app.admins.pop(arn, None)
        del app.identities[arn]
        self.remove_tags(arn)
        for channel in app.channels.values():
            channel.members.pop(arn, None)
            channel.moderators.pop(arn, None)
            channel.bans.pop(arn, None)

    def list_app_instance_users(self, parameters: Parameters) -> Answer:
        """List users."""
        return self._list(parameters, "AppInstanceUserArn", "AppInstanceUsers")

    def list_app_instance_bots(self, parameters: Parameters) -> Answer:
        """List bots."""
        return self._list(parameters, "AppInstanceBotArn", "AppInstanceBots")

    def _list(self, parameters: Parameters, key: str, listed: str) -> Answer:
        app = self.app_instance(parameters["AppInstanceArn"])
        names = (key, "Name", "Metadata")
        shown = [{n: one[n] for n in names} for one in app.identities.values() if key in one]
        return {"AppInstanceArn": app.arn, **self.page(shown, parameters, listed)}

    def create_app_instance_admin(self, parameters: Parameters) -> Answer:
        """Make a user or bot an admin."""
        app = self.app_instance(parameters["AppInstanceArn"])
        arn = parameters["AppInstanceAdminArn"]
        if arn not in app.identities:
            raise ChimeError("BadRequest", f"{arn} is not there")
        if arn in app.admins:
            raise ChimeError("Conflict", f"{arn} is admin already")
        self.check_quota(len(app.admins), _MAX_ADMINS, "admins per app instance")
        app.admins[arn] = self.clock()
        app.new_admins[arn] = Write(self.clock())
        return {"AppInstanceAdmin": self._who_admin(app, arn), "AppInstanceArn": app.arn}

    def _who_admin(self, app: AppInstance, arn: str) -> dict[str, str]:
        return {"Arn": arn, "Name": str(app.identities[arn]["Name"])}

    def describe_app_instance_admin(self, parameters: Parameters) -> Answer:
        """Describe an admin."""
        app = self.app_instance(parameters["AppInstanceArn"])
        arn = parameters["AppInstanceAdminArn"]
        if arn not in app.admins:
            raise self.missing("admin", arn)
        shown = {
            "Admin": self._who_admin(app, arn),
            "AppInstanceArn": app.arn,
            "CreatedTimestamp": self.time(app.admins[arn]),
        }
        return {"AppInstanceAdmin": shown}

    def delete_app_instance_admin(self, parameters: Parameters) -> Answer:
        """Make an admin an ordinary user again."""
        app = self.app_instance(parameters["AppInstanceArn"])
        if parameters["AppInstanceAdminArn"] not in app.admins:
            raise self.missing("admin", parameters["AppInstanceAdminArn"])
        del app.admins[parameters["AppInstanceAdminArn"]]
        return {}

    def list_app_instance_admins(self, parameters: Parameters) -> Answer:
        """List admins."""
        app = self.app_instance(parameters["AppInstanceArn"])
        shown = [{"Admin": self._who_admin(app, arn)} for arn in app.admins]
        return {"AppInstanceArn": app.arn, **self.page(shown, parameters, "AppInstanceAdmins")}

    def put_app_instance_retention_settings(self, parameters: Parameters) -> Answer:
        """Set how long messages are kept; an empty ChannelRetentionSettings switches it off."""
        app = self.app_instance(parameters["AppInstanceArn"])
        app.retention = parameters["AppInstanceRetentionSettings"]
        return {"AppInstanceRetentionSettings": app.retention}

    def get_app_instance_retention_settings(self, parameters: Parameters) -> Answer:
        """Say how long messages are kept."""
        return {"AppInstanceRetentionSettings": self.app_instance(parameters["AppInstanceArn"]).retention}
