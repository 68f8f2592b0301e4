"""``python -m pimlico``."""

from pimlico.cli import main

if __name__ == "__main__":
    main()
