"""Cores that are built from a source with one piece replaced, to see proofs and benches fail."""

import inspect
from types import ModuleType


def broken(monkeypatch, module, sound, wrong, users):
    """Replace `sound` by `wrong` in the source of `module`, for what `users` import from it."""
    source = inspect.getsource(module)
    assert source.count(sound) == 1, "the core no longer reads so"
    changed = ModuleType(module.__name__)
    changed.__package__ = module.__package__
    exec(compile(source.replace(sound, wrong), module.__file__, "exec"), vars(changed))
    for name, value in vars(module).items():
        made_here = inspect.isclass(value) or inspect.isfunction(value)
        if made_here and value.__module__ == module.__name__:
            for user in users:
                if hasattr(user, name):
                    monkeypatch.setattr(user, name, vars(changed)[name])
