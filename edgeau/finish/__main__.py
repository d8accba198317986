from edgeau.finish.command import main

raise SystemExit(main())
