"""Makes `python -m orderproof` the command line."""

from orderproof.cli import main

if __name__ == "__main__":
    main()
