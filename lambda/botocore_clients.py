"""Clients of the service, built with a third of boto3's work: cold starts are most of what such a Lambda does.

boto3.client imports s3transfer, lists the folders of all services and reads the endpoints of all of AWS, none of
which a client of two services needs. What is left out here leans on botocore's insides: where these have changed,
or the environment asks for more, plain boto3.client builds the same client, only later.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

SERVICES = ("chime-sdk-identity", "chime-sdk-messaging")
_UNSUPPORTED_VARIABLES = ("AWS_DATA_PATH", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_PROFILE")
_ENDPOINTS: dict[str, Any] = {
    "version": 3,
    "partitions": [
        {
            "partition": "aws",
            "dnsSuffix": "amazonaws.com",
            "regionRegex": r"^(us|eu)\-\w+\-\d+$",
            "regions": {"us-east-1": {}, "eu-central-1": {}},
            "defaults": {
                "hostname": "{service}.{region}.{dnsSuffix}",
                "protocols": ["https"],
                "signatureVersions": ["v4"],
            },
            "services": {},
        }
    ],
}
"""What endpoints.json says about the service. Its own rule set, which botocore asks too, has the last word."""


class _LazyModule(ModuleType):
    """Stands for a module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def lazy_import(name: str) -> Iterator[None]:
    """Let who imports a module inside this block get it when something of it is used, not now."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = _LazyModule(name)
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep the garbage collector from searching what is being built: modules and models, all of which stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # nor later
        if was_on:
            gc.enable()


@lru_cache(maxsize=4)
def client(service: str, region: str) -> Any:
    """Return the client of a service in a region."""
    with no_garbage_collection():
        try:
            return _lean_client(service, region)
        except Exception:
            return _boto3_client(service, region)


def _config() -> Any:
    import botocore  # noqa: PLC0415 - with the first client
    from botocore.config import Config  # noqa: PLC0415

    return Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"total_max_attempts": 1},  # chime_handler retries, for it knows the deadline
        # In full each time, this text takes botocore longer than signing the request.
        user_agent=f"cdk-chime-messaging Botocore/{botocore.__version__}",
    )


def _boto3_client(service: str, region: str) -> Any:
    import boto3  # noqa: PLC0415 - only here

    return boto3.client(service, region_name=region, config=_config())


def _lean_client(service: str, region: str) -> Any:
    if any(os.environ.get(name) for name in _UNSUPPORTED_VARIABLES):
        return _boto3_client(service, region)
    return _session().create_client(service, region_name=region, config=_config())


@lru_cache(maxsize=1)
def _session() -> Any:
    from botocore.loaders import Loader  # noqa: PLC0415 - with the first client
    from botocore.regions import EndpointResolver  # noqa: PLC0415
    from botocore.session import Session  # noqa: PLC0415

    class Known(Loader):
        """A loader that knows which services there are."""

        def list_available_services(self, type_name: str) -> list[str]:
            return list(SERVICES)

    # The handlers left out rewrite calls of other services, such as S3 and EC2.
    session = Session(include_builtin_handlers=False)
    session.register_component("data_loader", Known())
    inside: Any = session
    inside._internal_components.register_component("endpoint_resolver", EndpointResolver(_ENDPOINTS))
    return session
