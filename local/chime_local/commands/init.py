"""`init`: a new CDK app with a channel."""

from __future__ import annotations

import json
import re
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from chime_local.errors import ChimeLocalError

app = typer.Typer()

_APP = '''\
"""A chat with one channel, whose messages survive every deploy."""

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack

from cdk_chime_messaging import AppInstance

app = App()
stack = Stack(app, "{stack}")

# DESTROY: everything goes with the stack. Leave it out to keep app instance and channels.
chat = AppInstance(stack, "Chat", removal_policy=RemovalPolicy.DESTROY)
ann = chat.add_user("ann", name="Ann")
bob = chat.add_user("bob", name="Bob")
admin = chat.add_admin("Admin", chat.add_user("operator", name="Operator"))
support = chat.add_channel(
    "Support",
    chime_bearer=admin,
    member_arns=[ann, bob],
    removal_policy=RemovalPolicy.DESTROY,
)
CfnOutput(stack, "ChannelArn", value=support.channel_arn)

app.synth()
'''
_README = """\
# {stack}
```
pip install -r requirements.txt
chime-local up --detach    # AWS on this machine, with a console
chime-local deploy         # deploys app.py
chime-local send {stack}.ChannelArn "Hello" --as Ann
chime-local tail {stack}.ChannelArn
chime-local down
```
Change `app.py` and deploy again: the channel keeps its ARN and its messages. On AWS: `npx aws-cdk@2 deploy`.
"""
_IGNORED = ".chime-local/\n.venv/\n__pycache__/\ncdk.out/\nnode_modules/\n"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="A folder that is new or empty.")] = Path(),
) -> None:
    """Create a CDK app with a channel, ready to deploy."""
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = sorted(path.name for path in folder.iterdir() if path.name not in (".git", ".venv"))
        if there:
            raise ChimeLocalError(f"{folder} is not empty ({there[0]} is there); give a new folder")
        for name, text in _create_files(folder.name).items():
            (folder / name).write_text(text)
    except OSError as failed:
        raise ChimeLocalError(f"{folder} cannot be written: {failed.strerror}") from None
    print(f"created a CDK app in {folder}; next:")
    if folder != Path.cwd():
        print(f"  cd {shlex.quote(str(folder))}")
    print("  pip install -r requirements.txt\n  chime-local up --detach\n  chime-local deploy")


def _create_files(name: str) -> dict[str, str]:
    stack = "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", name))
    stack = stack if stack[:1].isalpha() else f"Chat{stack}"
    return {
        "app.py": _APP.format(stack=stack),
        "cdk.json": json.dumps({"app": "python3 app.py"}, indent=2) + "\n",
        "requirements.txt": f"cdk-chime-messaging[local]=={version('cdk-chime-messaging')}\nnodejs-wheel\n",
        "README.md": _README.format(stack=stack),
        ".gitignore": _IGNORED,
    }
