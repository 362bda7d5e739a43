"""`python -m seglib` is the command `seg`."""

from seglib.cli import main

if __name__ == "__main__":
    main()
