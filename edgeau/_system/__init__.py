"""What the operating system gives: whole files, the cache folder, the processor, the manners of commands."""
