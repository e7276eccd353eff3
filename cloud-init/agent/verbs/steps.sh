# The steps, and how the verbs take them.

# In this order `up` puts things in place, and in the reverse one `down` takes them away. A step is a file or a folder of
# steps/, which defines of these functions the ones that it needs, and nothing else that is called from outside:
#   X_up      puts it in place, leaves alone what is in place, and with --dry-run only says what it would do
#   X_down    takes it away; X_up may never have been reached, and X_down may have been killed before
#   X_consent refuses, before X_down of any step, what somebody has to agree to or put right first
#   X_purge   takes away what X_down leaves and nobody needs without us, with `down --purge`
#   X_state   names what X_up looks at; 1 when it cannot tell. Each step with an X_up has it: without, no run is ever skipped
#   X_status  its lines of `status`
#   X_doctor  its links of `doctor`: `look LINK NEEDED-LINK...`, which calls doctor_LINK
#   X_keep    puts back at once what others take away at run time, in a process of its own, see keep_each; X_up may be under
#             way for the first time
#   X_bake    what of it belongs into an image
# Three have a `down` alone, for what is only right once those behind them are down: docker_restart starts the dockerd that
# docker has stopped, files puts every file back, and accept_ra comes after all that forwards.
STEPS='system network prerequisites zerotier enrol overlap accept_ra files docker_restart local_conf network_services join tables
sysctls ifupdown firewalls firewalld chains rules backend address routes watch controller hosts docker ipv6nat'

has_part() { # STEP up|down|consent|purge|keep|state|status|doctor|bake
  command -v "$1_$2" >/dev/null
}

# One function of a step, which has its name in messages and reports.
take() { # STEP up|down|consent|purge|keep|bake
  case $1 in
  *_*) STEP=${1%%_*}-${1#*_} ;;
  *) STEP=$1 ;;
  esac
  "$1_$2"
}

# That function of each step that has it.
take_each() { # up|down|consent|purge|bake|status|doctor
  steps=$STEPS
  case $1 in down | purge) steps=$(backwards) ;; esac
  for taken in $steps; do
    if has_part "$taken" "$1"; then
      take "$taken" "$1"
    fi
  done
}

backwards() {
  reversed=''
  for taken in $STEPS; do
    reversed="$taken $reversed"
  done
  echo "$reversed"
}
