"""``python -m edgeau_training.quantization_aware``."""

import sys

from edgeau_training.quantization_aware.command import main

sys.exit(main())
