# docker.service's command.

DAEMON_JSON=/etc/docker/daemon.json

# `words`, dockerd's command as systemd would run it, and where that has daemon.json.
look_at_docker_words() {
  words=$(docker_words)
  DAEMON_JSON=/etc/docker/daemon.json
  case $words in
  *--config-file*)
    file=$(printf '%s\n' "$words" | flag_values --config-file | tail -n 1)
    DAEMON_JSON=${file:-$DAEMON_JSON}
    ;;
  esac
}

# The values of a flag, one a line; words on stdin.
flag_values() { # FLAG
  awk -v flag="$1" 'next_is { print; next_is = 0; next } $0 == flag { next_is = 1 } index($0, flag "=") == 1 { print substr($0, length(flag) + 2) }'
}

# daemon.json in UTF-8. From 23 on dockerd takes a byte order mark, and the encoding that it stands for.
daemon_json() {
  read_line "$R$DAEMON_JSON"
  case $LINE in
  "$(printf '\377\376')"* | "$(printf '\376\377')"*) iconv -f UTF-16 -t UTF-8 <"$R$DAEMON_JSON" 2>/dev/null ;;
  *) cat "$R$DAEMON_JSON" ;;
  esac
}

# The words with which systemd would start dockerd, but for ours, one a line. In what systemctl shows quotes and specifiers are
# resolved; the variables get the values of the unit's environment, by systemd's rules.
docker_words() {
  {
    printf '%s\n' "$DOCKER_COMMAND" "$DOCKER_ENVIRONMENT"
    for file in $DOCKER_ENVIRONMENTS; do
      case $file in
      /etc/meshboot/*) ;;
      *)
        # shellcheck disable=SC2086 # systemd takes patterns
        (set +f && cat $R$file 2>/dev/null) || :
        # Ends also a line that a backslash continues.
        printf '\n\n'
        ;;
      esac
    done
  } | awk '
    # Quotes hold a word together, and a backslash takes its meaning from what follows.
    function words_of(text, into, n, i, c, quote, word, begun) {
      for (i = 1; i <= length(text) + 1; i++) {
        c = substr(text, i, 1)
        if (c == "" || quote == "" && c ~ /[ \t\n]/) {
          if (begun) into[++n] = word
          word = ""
          begun = 0
          continue
        }
        begun = 1
        if (c == quote) quote = ""
        else if (quote == "" && c ~ /["\047]/) quote = c
        else word = word (c == "\\" ? substr(text, ++i, 1) : c)
      }
      return n + 0
    }
    function set(key, value) {
      if (key ~ /^[A-Za-z_][A-Za-z_0-9]*$/) env[key] = value
    }
    # An EnvironmentFile: quotes only where a value, or what follows a quoted part, begins.
    function read_file(text, i, c, at, key, value) {
      at = "key"
      for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (at == "comment") {
          if (c == "\n") at = "key"
        } else if (at == "key") {
          if (c == "\n") key = ""
          else if (key == "" && c ~ /[#;]/) at = "comment"
          else if (c == "=") { at = "start"; value = "" }
          else if (c !~ /[ \t]/) key = key c
        } else if (at == "\"" || at == "\047") {
          if (c == at) at = "start"
          else if (c == "\\" && at == "\"") {
            c = substr(text, ++i, 1)
            if (c != "\n") value = value (c ~ /["\\`$]/ ? "" : "\\") c
          } else value = value c
        } else if (c == "\n") {
          if (at == "value") sub(/[ \t]+$/, "", value)
          set(key, value)
          key = ""
          at = "key"
        } else if (c == "\\") {
          c = substr(text, ++i, 1)
          if (c != "\n") value = value c
          at = "value"
        } else if (at == "start" && c ~ /["\047]/) at = c
        else if (at == "value" || c !~ /[ \t]/) {
          value = value c
          at = "value"
        }
      }
    }
    NR == 1 { command = $0; next }
    NR == 2 {
      n = words_of($0, word)
      for (i = 1; i <= n; i++) set(substr(word[i], 1, index(word[i], "=") - 1), substr(word[i], index(word[i], "=") + 1))
      next
    }
    { files = files $0 "\n" }
    END {
      read_file(files)
      n = split(command, its, " ")
      for (i = 1; i <= n; i++) {
        if (its[i] ~ /^[$][^${]/) {
          m = words_of(env[substr(its[i], 2)], word)
          for (j = 1; j <= m; j++) print word[j]
          continue
        }
        text = ""
        while (match(its[i], /[$]([$]|[{][A-Za-z_0-9]*[}])/)) {
          text = text substr(its[i], 1, RSTART - 1) (RLENGTH == 2 ? "$" : env[substr(its[i], RSTART + 2, RLENGTH - 3)])
          its[i] = substr(its[i], RSTART + RLENGTH)
        }
        print text its[i]
      }
    }'
}
