"""What is mutated, and which tests each module's mutants meet first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STAGES = ROOT / "build" / "mutants"
RESULTS = "results.json"
"""What became of each mutant, in a part's stage."""
SOURCES = ("lambda", "constructs", "local")
COPIED = (*SOURCES, "docs", "examples", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "app.py", "cdk.json")
"""What the tests look for beside themselves, as it is."""


@dataclass(frozen=True)
class Part:
    """Sources that are mutated together, and the tests that their mutants meet."""

    name: str
    folder: str
    """The source root in the checkout."""
    mutated: tuple[str, ...]
    """Patterns of the files that are mutated, below the source root."""
    tests: tuple[str, ...]
    """All tests that a mutant meets."""
    target: float
    """The share of mutants that must be caught."""
    first: dict[str, tuple[str, ...]]
    """For a module the tests that its mutants meet first."""
    sampled: bool = True
    """Whether a sample of all parts takes mutants of this one, too."""
    batch: int = 500
    """How many mutants share one session: jsii's process keeps the constructs of all of them."""

    def configuration(self) -> str:
        """Return mutmut's section of the stage's pyproject.toml."""
        settings = {
            "source_paths": ["src"],
            "only_mutate": [f"src/{pattern}" for pattern in self.mutated],
            "also_copy": list(COPIED),
            "pytest_add_cli_args": ["-o", "pythonpath=src tests"],
            "pytest_add_cli_args_test_selection": list(self.tests),
            # The session has limits of its own, a test each; this one is for what they do not reach.
            "timeout_constant": 60.0,
            "track_dependencies": False,
            "use_git_change_detection": False,
            "on_dependency_change": "ignore",
        }
        # JSON's strings, lists of them and booleans are TOML's, too.
        return "\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())

    def source_of(self, mutant: str) -> str:
        """Return the file of the checkout that a mutant was made of."""
        path = f"{self.folder}/{mutant.rpartition('.')[0].replace('.', '/')}"
        return f"{path}/__init__.py" if (ROOT / path).is_dir() else f"{path}.py"

    def meets_first(self, module: str, test: str) -> bool:
        """Return whether a test is one of those that the module's mutants meet first."""
        return Path(test.partition("::")[0]).stem in self.first.get(module, ())

    def in_file(self, mutants: Sequence[str], file: str | None) -> list[str]:
        """Return the mutants made of one file, or all."""
        return [name for name in mutants if file in (None, self.source_of(name))]


HANDLER_TESTS = ("tests/handler", "tests/releases", "tests/test_contract.py", "tests/mutants/histories.py")

_SERVICE_TESTS = (
    *("test_responses", "test_refusals", "test_lists_tags_and_rates", "test_rules_of_channels"),
    *("test_documented_behaviors", "test_behavior_switches", "test_conflicts"),
)
PARTS = {
    part.name: part
    for part in (
        Part(
            name="handler",
            folder="lambda",
            mutated=("chime_handler/*", "chime_handler/channel/*", "index.py", "botocore_clients.py"),
            tests=HANDLER_TESTS,
            target=0.90,
            first={
                "index": ("test_answer", "test_response", "test_crhelper", "test_secrets", "test_promises"),
                "botocore_clients": ("test_clients", "test_limits"),
                "app_instance_admin": ("test_admin", "test_promises", "test_refused_removals"),
                "response": ("test_answer", "test_response", "test_secrets"),
                "service": ("test_consistency", "test_channel", "test_waiting", "test_batches"),
                "apply": ("test_channel", "test_consistency", "test_batches", "test_refused_removals"),
                "arns": ("test_properties", "test_channel", "test_limits"),
                "attachments": ("test_attachments", "test_flows", "test_promises", "test_refused_removals"),
                "errors": ("test_consistency", "test_denials", "test_channel"),
                "lifecycle": ("test_channel", "test_pending", "test_ownership", "test_lives", "test_promises"),
                "spec": ("test_properties", "test_channel", "test_limits", "test_promises"),
                "decide": ("test_decide", "test_ownership", "test_pending", "test_lives", "test_promises"),
                "deletion": ("test_pending", "test_ownership", "test_lives", "test_promises"),
                "dispatch": ("test_channel", "test_pending", "test_promises"),
                "ownership": ("test_ownership", "test_pending", "test_identity"),
                "observe": ("test_consistency", "test_channel", "test_ownership", "test_lives", "test_waiting"),
                "physical_id": ("test_pending", "test_ownership", "test_identity"),
                "plan": ("test_plan", "test_channel", "test_batches", "test_promises"),
                "shared": ("test_properties", "test_pending", "test_consistency", "test_admin", "test_attachments"),
                "reasons": ("test_secrets", "test_response"),
                "request": ("test_response", "test_pending", "test_promises"),
                "app_instance_retention": ("test_retention_streaming", "test_promises", "test_refused_removals"),
                "app_instance_settings": ("test_retention_streaming", "test_promises", "test_refused_removals"),
                "app_instance_streaming": ("test_retention_streaming", "test_promises", "test_refused_removals"),
            },
        ),
        Part(
            name="library",
            folder="constructs",
            mutated=("cdk_chime_messaging/*",),
            tests=("tests/library", "tests/iam", "tests/test_contract.py"),
            target=0.85,
            batch=100,
            first={
                "_app_instance": ("test_app_instance",),
                "_app_instance_admin": ("test_app_instance",),
                "_app_instance_bot": ("test_app_instance", "test_argument_limits"),
                "_app_instance_retention": ("test_app_instance", "test_argument_limits"),
                "_app_instance_streaming": ("test_app_instance", "test_argument_limits"),
                "_app_instance_user": ("test_app_instance", "test_argument_limits"),
                "_arns": ("test_channel", "test_one_bearer", "test_argument_limits"),
                "_asset": ("test_asset",),
                "_attachments": ("test_memberships",),
                "_channel": ("test_channel", "test_memberships", "test_adoption"),
                "_channel_base": ("test_roles", "test_memberships", "test_grants", "test_exact_policies"),
                "_channel_props": ("test_channel", "test_memberships", "test_argument_limits"),
                "_crhelper": ("test_asset",),
                "_custom_resource": ("test_app_instance", "test_memberships", "test_exact_policies"),
                "_dependencies": ("test_one_bearer", "test_app_instance", "test_declared_order"),
                "_duplicates": ("test_duplicates",),
                "_errors": ("test_channel", "test_deprecated"),
                "_flow": ("test_app_instance", "test_channel"),
                "_imported_channel": ("test_memberships", "test_roles"),
                "_limits": ("test_contract", "test_argument_limits"),
                "_permissions": ("test_grants", "test_channel", "test_exact_policies"),
                "_policy_arn": ("test_one_bearer", "test_app_instance"),
                "_provider": ("test_channel", "test_one_bearer", "test_exact_policies", "test_declared_order"),
                "_refs": ("test_app_instance", "test_memberships"),
                "_suppressions": ("test_channel",),
                "_tokens": ("test_channel", "test_duplicates"),
                "_validation": ("test_channel", "test_argument_limits"),
            },
        ),
        Part(
            name="service",
            folder="local",
            mutated=("chime_local/chime/*",),
            tests=("tests/engine", "tests/local/test_chime_permissions.py"),
            target=0.80,
            first={
                "backend": _SERVICE_TESTS,
                "bans": _SERVICE_TESTS,
                "behaviors": ("test_behavior_switches",),
                "channels": _SERVICE_TESTS,
                "flows": _SERVICE_TESTS,
                "identity": _SERVICE_TESTS,
                "memberships": _SERVICE_TESTS,
                "messages": (*_SERVICE_TESTS, "test_clock"),
                "model": ("test_validation", "test_rules_of_channels"),
                "moderators": _SERVICE_TESTS,
                "protocol": ("test_http_requests", "test_wire"),
                "service": (
                    "test_refusals",
                    "test_validation",
                    "test_rules_of_channels",
                    "test_rates",
                    "test_behavior_switches",
                ),
                "sessions": _SERVICE_TESTS,
                "state": ("test_clock",),
                "streaming": _SERVICE_TESTS,
                "tags": _SERVICE_TESTS,
                "throttling": ("test_rates", "test_lists_tags_and_rates", "test_quotas", "test_conflicts"),
                "iam": ("test_required_actions", "test_lists_tags_and_rates", "test_chime_permissions"),
            },
        ),
        Part(
            name="simulation",
            folder="lambda",
            mutated=("chime_handler/*", "chime_handler/channel/*", "index.py"),
            tests=("tests/mutants/histories.py",),
            target=0.0,
            first={},
            sampled=False,
        ),
    )
}


def part_of(file: str) -> Part:
    """Return the part that a file of the checkout belongs to."""
    for part in PARTS.values():
        if any(Path(file).match(f"{part.folder}/{pattern}") for pattern in part.mutated):
            return part
    raise SystemExit(f"error: {file} is not among the files that are mutated")
