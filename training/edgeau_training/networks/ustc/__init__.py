"""USTC's network of the fifth ABAW competition: local regions, relations between AUs, feature fusion."""
