"""The screens of the desk, one file each. They compose widgets, call the desk and hold no rule."""
