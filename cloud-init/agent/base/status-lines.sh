# Lines that steps give to `status`: values for --json, rows for people. The fields are separated by tabs.

status_text() { # KEY TEXT
  printf 'text\t%s\t%s\n' "$1" "$2"
}

status_value() { # KEY NUMBER|true|false
  printf 'value\t%s\t%s\n' "$1" "$2"
}

# SOUND says whether it is as it should be.
status_row() { # NAME SOUND TEXT
  printf 'row\t%s\t%s\t%s\n' "$1" "$3" "$2"
}
