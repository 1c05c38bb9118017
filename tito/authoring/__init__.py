"""From the source of a module to package, release and bundle."""
