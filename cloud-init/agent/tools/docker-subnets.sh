# The subnets of Docker's networks, and which of them `down` leaves in the lease.

# `subnet network` of every Docker network; 1 when dockerd does not answer. One that goes in between is no failure.
docker_subnets() {
  networks=$(docker network ls -q) || return 1
  # shellcheck disable=SC2016,SC2086 # a template of Docker's; ids, one word each
  docker network inspect -f '{{$n := .Name}}{{range .IPAM.Config}}{{println .Subnet $n}}{{end}}' $networks || :
}

# Docker gives a network its subnet for life, and another server may have the lease next.
name_kept_networks() {
  kept=$( (limit_calls && docker_subnets) | pool_awk '$1 ~ /^[0-9.]+\/[0-9]+$/ && $2 != "bridge" && inside($1, own) { printf "%s ", $2 }')
  [ -z "$kept" ] || say "Docker networks keep their subnets in $SUBNET4: ${kept}(another range: docker network rm, and make them again)"
}
