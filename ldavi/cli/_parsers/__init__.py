"""The parsers of the commands, a module each.

They import neither the algorithms nor the libraries that these need, so that `--help` answers at once. What a command
does is in the module `_*_command` of the same name.
"""
