"""The command line: verbs, options, exit codes, places. Nothing below knows that there is a process around it."""
