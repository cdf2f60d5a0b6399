"""What endpoints ask for, with its type. Everything is opened in `app.resources`."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from app.core.database import Database
from app.core.settings import Settings
from app.core.storage import Storage
from app.serving.keyring import Keyring
from app.serving.registry import Registry


async def get_settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


async def get_database(request: Request) -> Database:
    return cast("Database", request.app.state.database)


async def get_storage(request: Request) -> Storage:
    return cast("Storage", request.app.state.storage)


async def get_registry(request: Request) -> Registry:
    return cast("Registry", request.app.state.registry)


async def get_keyring(request: Request) -> Keyring:
    return cast("Keyring", request.app.state.keyring)


SettingsDependency = Annotated[Settings, Depends(get_settings)]
DatabaseDependency = Annotated[Database, Depends(get_database)]
StorageDependency = Annotated[Storage, Depends(get_storage)]
RegistryDependency = Annotated[Registry, Depends(get_registry)]
KeyringDependency = Annotated[Keyring, Depends(get_keyring)]
