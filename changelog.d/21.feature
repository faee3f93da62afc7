The module takes less of a start and less memory: its records share the methods that attrs wrote and compiled for each.
