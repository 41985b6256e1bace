"""``python -m worker`` is ``batch-closer``."""

from worker.cli.main import main

if __name__ == "__main__":
    main()
