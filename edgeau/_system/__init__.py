"""Access to the operating system: whole files, the cache folder, the processor, the manners of commands."""
