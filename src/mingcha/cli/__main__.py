"""`python -m mingcha.cli`: the same as `mingcha`."""

from mingcha.cli import main

if __name__ == "__main__":
    main.main()
