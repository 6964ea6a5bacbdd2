"""Registers: a name from a rulebook or a layout, and the function that implements it.

A rule, a provider or a report section is one function in one file, found by its folder. Its settings are its
keyword-only arguments, so the signature is the whole declaration: type, default and documentation of each setting
stand where the setting is used.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeAlias, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError, create_model

from exchina.errors import ExchinaError, Problem, did_you_mean

Plugin: TypeAlias = Callable[..., Any]
Check: TypeAlias = Callable[..., str | None]
AnyPlugin = TypeVar("AnyPlugin", bound=Plugin)
Noun = TypeVar("Noun")


class Register:
    """Plugins of one kind by name, read from the modules of one package when first asked for.

    Args:
        kind: what a person calls such a plugin ("screen", "report section"); used in messages.
        package: dotted name of the package whose modules hold the plugins, one file each.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._plugins: dict[str, Plugin] = {}
        self._checks: dict[str, Check] = {}
        self._traits: dict[str, frozenset[str]] = {}
        self._loaded = False

    def __call__(self, name: str, *traits: str, check: Check | None = None) -> Callable[[AnyPlugin], AnyPlugin]:
        """Decorate a function to enter it under ``name``; a second function of that name is a mistake.

        Args:
            name: what a rulebook or layout calls it.
            traits: words that tell others of its kind what it is, such as ``groups``.
            check: what no single setting can say: takes the settings by name, gives the fault in words or None.
        """

        def enter(plugin: AnyPlugin) -> AnyPlugin:
            if name in self._plugins:
                raise ExchinaError(Problem(f"{self.package}.{name}", f"two {self.kind}s are called {name!r}"))
            self._plugins[name] = plugin
            self._checks[name] = check or _no_fault
            self._traits[name] = frozenset(traits)
            return plugin

        return enter

    def all(self) -> Mapping[str, Plugin]:
        """Every plugin of this kind by name, in alphabetical order."""
        if not self._loaded:
            for module in iter_modules(import_module(self.package).__path__, f"{self.package}."):
                import_module(module.name)
            self._loaded = True
        return dict(sorted(self._plugins.items()))

    def having(self, trait: str) -> list[str]:
        """The names of the plugins with a trait."""
        return [name for name in self.all() if trait in self._traits[name]]

    def __getitem__(self, name: str) -> Plugin:
        """The plugin called ``name``; `ExchinaError` with a spelling hint if there is none."""
        plugins = self.all()
        if name not in plugins:
            raise ExchinaError(Problem(name, f"no {self.kind} called {name!r}", did_you_mean(name, plugins)))
        return plugins[name]

    def checked_settings(
        self, where: str, name: str, settings: Mapping[str, object]
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Settings converted to the types of the plugin's signature, and every fault in them.

        Args:
            where: the place in the file, such as ``cap.issuer``; problems name it.
            name: the plugin; an unknown one is itself a problem.
            settings: as read from the file.
        """
        plugins = self.all()
        if name not in plugins:
            return {}, [Problem(where, f"no {self.kind} called {name!r}", did_you_mean(name, plugins))]
        fields = keyword_settings(plugins[name])
        problems = [
            Problem(f"{where}.{key}", f"{self.kind} {name!r} has no setting {key!r}", did_you_mean(key, fields))
            for key in settings
            if key not in fields
        ]
        schema = create_model(name, __config__=ConfigDict(arbitrary_types_allowed=True), **fields)
        try:
            model = schema.model_validate({key: value for key, value in settings.items() if key in fields})
        except ValidationError as fault:
            problems += [located(where, error) for error in fault.errors()]
            return {}, problems
        checked = {key: getattr(model, key) for key in fields}
        fault = self._checks[name](**checked)
        return checked, [*problems, *([Problem(where, fault, "change one of the settings")] if fault else [])]


def _no_fault(**_: object) -> None:
    return None


def keyword_settings(plugin: Plugin) -> dict[str, Any]:
    """The settings of a plugin as pydantic fields, ``name: (type, default)``, from its keyword-only arguments."""
    return {
        name: (parameter.annotation, ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in inspect.signature(plugin, eval_str=True).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def checked_as(noun: type[Noun], settings: Mapping[str, Any], where: str) -> tuple[Noun | None, list[Problem]]:
    """A noun from the settings of a file, or every fault in them, with a spelling hint for an unknown one.

    Args:
        noun: a pydantic dataclass.
        settings: as read from the file.
        where: the place in the file, such as ``fund`` or ``vehicle.fee``; problems name it.
    """
    try:
        return TypeAdapter(noun).validate_python(settings), []
    except ValidationError as fault:
        fields = list(noun.__dataclass_fields__)  # pyright: ignore[reportAttributeAccessIssue]
        return None, [_spelled(where, error, fields) for error in fault.errors()]


def _spelled(where: str, error: Any, fields: Sequence[str]) -> Problem:
    if error["type"] not in ("unexpected_keyword_argument", "extra_forbidden"):
        return located(where, error)
    key = str(error["loc"][-1])
    table = where if "." in where else f"[{where}]"
    return Problem(f"{where}.{key}", f"{table} has no setting {key!r}", did_you_mean(key, fields))


def located(where: str, error: Any) -> Problem:
    """One pydantic error as a problem at its dotted place."""
    place = ".".join([where, *(str(part) for part in error["loc"])]).strip(".")
    found = "" if error["type"] == "missing" else f", found {error['input']!r}"
    return Problem(place, error["msg"].replace("Field required", "this setting is required") + found)
