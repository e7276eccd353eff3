# The way out by a proxy.

# As every login has it. systemd passes that file on to the service, without lines that begin with `export`; and apt knows
# names in lower case alone.
use_proxy() {
  [ -r "$R/etc/environment" ] || return 0
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#export }
    value=${line#*=}
    case ${line%%=*} in
    http_proxy | HTTP_PROXY) key=http_proxy set=${http_proxy:-} ;;
    https_proxy | HTTPS_PROXY) key=https_proxy set=${https_proxy:-} ;;
    all_proxy | ALL_PROXY) key=all_proxy set=${all_proxy:-} ;;
    no_proxy | NO_PROXY) key=no_proxy set=${no_proxy:-} ;;
    *) continue ;;
    esac
    value=${value#[\"\']}
    [ -n "$set" ] || export "$key=${value%[\"\']}"
  done <"$R/etc/environment"
}

# Where it has no scheme, that which curl takes it for.
proxy_of_worker() {
  case $URL in
  https:*) at=${https_proxy:-${all_proxy:-}} ;;
  *) at=${http_proxy:-${all_proxy:-}} ;;
  esac
  case $at in
  '' | *://*) printable "$at" ;;
  *) printable "http://$at" ;;
  esac
}
