"""Saved models load after `import tf_mwn` alone.

Keras looks for the class of a saved object among the names that were registered, and imports no
module to find it. As soon as Keras is loaded, a stand-in is registered under each name of this
package. It imports its module when a saved object needs it.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import pathlib
import re
import sys
import types
from typing import Any

_REGISTERED = re.compile(
    r"@keras\.saving\.register_keras_serializable\("
    r'package="(?P<package>[^"]+)"(?:, name="(?P<name>[^"]+)")?\)\s+class (?P<kind>\w+)'
)


def register_when_keras_is_loaded() -> None:
    """Registers the stand-ins now, or right after Keras is imported."""
    if "keras" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def register() -> None:
    """Registers a stand-in for each class of this package that is not registered yet."""
    import keras

    known, root = keras.saving.get_custom_objects(), pathlib.Path(__file__).parent
    for path in root.glob("**/*.py"):
        module = ".".join((root.name, *path.relative_to(root).with_suffix("").parts))
        for found in _REGISTERED.finditer(path.read_text(encoding="utf-8")):
            name = f"{found['package']}>{found['name'] or found['kind']}"
            known.setdefault(name, _stand_in(module, found["kind"]))


def _stand_in(module: str, kind: str) -> type:
    def from_config(cls: type, config: dict[str, Any]) -> Any:
        return getattr(importlib.import_module(module), kind).from_config(config)

    return type(kind, (), {"from_config": classmethod(from_config)})


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Calls `register` after the first import of Keras."""

    def find_spec(
        self, fullname: str, path: Any, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: types.ModuleType) -> None:
                execute(module)
                register()

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec
