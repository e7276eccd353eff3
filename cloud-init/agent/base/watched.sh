# What a step looks at, told by X_state, so that all of it is looked at by few processes.

WATCHED_FILES=''
WATCHED_UNITS=''
WATCHED_COMMANDS=''

# Told by their times, size and mode.
watch_files() { # PATH...
  for watched; do
    WATCHED_FILES=$WATCHED_FILES$watched$NL
  done
}

# Told by what systemd says of them.
watch_units() { # NAME...
  for watched; do
    WATCHED_UNITS="$WATCHED_UNITS $watched.service"
  done
}

# Told by what they print; each is run once, however many steps name it.
watch_commands() { # `PROGRAM WORD...`...
  for watched; do
    case $NL$WATCHED_COMMANDS in
    *"$NL$watched$NL"*) ;;
    *) WATCHED_COMMANDS=$WATCHED_COMMANDS$watched$NL ;;
    esac
  done
}

# Told by where they are.
watch_programs() { # NAME...
  for watched; do
    command -v "$watched" || :
  done
}
