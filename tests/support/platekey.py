"""The plugin under the name that it has inside a host; `import platekey.nuke.build` works as it does there."""

import plugin

__path__ = plugin.__path__
__version__ = plugin.__version__
