# Setting a sysctl.

# Without accept_ra=2 the host would lose its default route to the forwarding that comes next.
set_sysctl() { # KEY VALUE
  (echo "$2" >"$R/proc/sys/$1") 2>/dev/null ||
    case $1=$2 in
    */accept_ra=2) fail "$1 cannot be set to 2, and without it IPv6 forwarding would cost the host its default route: is /proc/sys read-only?" ;;
    *) warn "$1 cannot be set" ;;
    esac
}
