# Which dockerd the docker command speaks to.

# That of this host, for each call of this run and of what it starts: root's context, DOCKER_HOST and the like may be for another
# machine, whose containers are not ours to ask for, stop or count. DOCKER_CONFIG stays: it has the logins for registries.
unset DOCKER_CONTEXT DOCKER_TLS DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION
DOCKER_HOST=unix:///var/run/docker.sock
export DOCKER_HOST

# Where docker.service has its socket elsewhere, that.
find_docker_socket() {
  if ! has dockerd; then
    return 0
  fi
  look_at_docker_word
  listens=$(printf '%s\n' "$DOCKER_WORD" | awk '
    sub(/^json hosts [[]/, "") { gsub(/[]"]/, ""); gsub(/,/, "\n"); print }
    next_is { print; next_is = 0; next }
    /^(-H|--host)$/ { next_is = 1 }
    sub(/^(-H=?|--host=)/, "") && /:/ { print }' | grep -E '^(unix|fd)://') || :
  case $NL$listens$NL in
  "$NL$NL" | *"///var/run/docker.sock$NL"* | *"///run/docker.sock$NL"*) return 0 ;;
  *"${NL}fd://"*)
    at=$(systemctl show -p Listen docker.socket 2>/dev/null | sed -n 's/^Listen=\(\/[^ ]*\) (Stream)$/\1/p')
    case $NL$at$NL in *"${NL}/run/docker.sock$NL"* | *"${NL}/var/run/docker.sock$NL"*) at='' ;; esac
    ;;
  *) at=$(printf '%s\n' "$listens" | sed 's/^unix:\/\///') ;;
  esac
  [ -z "$at" ] || DOCKER_HOST=unix://${at%%"$NL"*}
}
