# Setting a sysctl, and what the kernel does not do of itself then.

# Without accept_ra=2 the host would lose its default route to the forwarding that comes next. Without forwarding the host itself
# is in the mesh all the same, and its containers are not.
set_sysctl() { # KEY VALUE
  (echo "$2" >"$R/proc/sys/$1") 2>/dev/null ||
    case $1=$2 in
    */accept_ra=2) fail "$1 cannot be set to 2, and without it IPv6 forwarding would cost the host its default route: is /proc/sys read-only?" ;;
    *forward*=1) end_with 1 "$1 cannot be set to 1, and without it no container is reached: is /proc/sys read-only?" ;;
    *) warn "$1 cannot be set" ;;
    esac
}

# Makes the kernel ask for a router, as it does when it is given a token. This one's lower half, which alone counts, is empty: addresses
# stay as they are. A token of the user's would have to be given again, which takes its addresses away.
solicit_router() { # DEVICE
  if [ "$(ip token get dev "$1" 2>/dev/null)" = "token :: dev $1" ]; then
    ip token set 1:: dev "$1" 2>/dev/null || :
  fi
}
