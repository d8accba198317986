"""The command ``python -m edgeau_training.landmark_model``."""

import sys

from edgeau_training.landmark_model.command import main

sys.exit(main())
