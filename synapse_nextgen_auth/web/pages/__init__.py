"""The pages people see: each reads a form, runs one flow and shows what comes next."""
