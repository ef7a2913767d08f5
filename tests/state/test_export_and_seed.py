"""What `chime-messaging export` writes of one engine, a seed puts into another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from chime_local.engine import Engine
from state.engines import TOKEN, console, create_channel, send


def export(engine: Engine, arn: str, bearer: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "chime_messaging", "export", arn, "--bearer", bearer],
        env={**engine.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_export_of_one_engine_is_the_seed_of_another(tmp_path: Path) -> None:
    with Engine("read_misses=0") as engine:
        channel, ann = create_channel(engine)
        app = channel.partition("/channel/")[0]
        identity, messaging = engine.client("chime-sdk-identity"), engine.client("chime-sdk-messaging")
        users = [ann] + [
            identity.create_app_instance_user(
                AppInstanceArn=app, AppInstanceUserId=name, Name=name.title(), ClientRequestToken=TOKEN
            )["AppInstanceUserArn"]
            for name in ("bob", "eve")
        ]
        identity.create_app_instance_admin(AppInstanceArn=app, AppInstanceAdminArn=ann)
        of_channel = {"ChannelArn": channel, "ChimeBearer": ann}
        messaging.create_channel_membership(**of_channel, MemberArn=users[1], Type="HIDDEN")
        messaging.create_channel_ban(**of_channel, MemberArn=users[2])
        for content in ("first", "Zeile\u2028zwei ☃ \U0001f600", 'quoted "text"\n${!x.y}', "to be redacted"):
            send(engine, channel, ann, content)
        last = messaging.list_channel_messages(**of_channel)["ChannelMessages"][0]["MessageId"]
        messaging.redact_channel_message(**of_channel, MessageId=last)
        exported = export(engine, app, ann)
        kinds = [line.split('"')[3] for line in exported.splitlines() if line.startswith("{")]
        assert set(kinds) >= {"AppInstance", "AppInstanceUser", "Channel", "ChannelMembership", "ChannelMessage"}
    with Engine("read_misses=0") as engine:
        added = console(engine).post("seed", {"file": "export.ndjson", "text": exported})["added"]
        assert added["ChannelMessage"] == 4
        engine.client("chime-sdk-identity").create_app_instance_admin(AppInstanceArn=app, AppInstanceAdminArn=ann)
        assert export(engine, app, ann) == exported.replace("${!x.y}", "${x.y}")
        again = console(engine).post("seed", {"text": exported})
        assert again["message"] == "Nothing is new."
