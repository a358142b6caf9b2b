# Corrects the configuration that Ray writes for HAProxy, before HAProxy reads it.

# The admin socket serves us alone, and only as far as Ray needs it: to read statistics and to hand
# listeners to the next HAProxy. Statistics and metrics get no port, because Ray reads the socket.
s#^\( *stats socket .*\) mode 666 level admin#\1 mode 600 level user#
/^frontend prometheus/,/^ *no log/d
/^listen stats/,$$d

# Errors get OpenAI's shape and status 503, "try again in a moment", where Ray writes plain text and
# status 500 or 404.
s#^\( *errorfile 50[234]\) .*#\1 unavailable.http#
s#return status 404 .*#return status 503 content-type application/json file unavailable.json#

# Nobody reads an access log, and each line of it would cost a packet.
/^ *log 127\.0\.0\.1:514 /d
/^ *log global$$/d
/^ *option httplog$$/d

# A request without a path, such as `OPTIONS *`, is its caller's mistake.
/^frontend http_frontend/a\
    http-request return status 400 content-type application/json file no-path.json unless { path_beg / }

# Only Ray's health check is answered here, by anybody's name for this machine: a list of applications
# is nobody's business. Serve's own proxy, which stands in for routers that are not up, would tell it.
/^ *http-request return .* if routes$$/d
/^frontend http_frontend/a\
    http-request return status 404 content-type application/json file no-list.json if { path,url_dec -i /-/routes }

# A client has ten seconds for its header and for its body, or as much of it as fits in a buffer.
/^defaults/a\
    timeout http-request 10s\
    option http-buffer-request\
    errorfile 408 too-slow.http
s#^\( *timeout http-keep-alive\) .*#\1 60s#

# Addresses of the network share the connections. Where few are left, an address that holds many gets
# no more, and answers close their connections instead of keeping them for the next request.
/^frontend http_frontend/a\
    maxconn $open\
    stick-table type ipv6 size 100k expire 1m store conn_cur\
    acl from_here src 127.0.0.0/8 ::1\
    acl crowded fe_conn gt $crowded\
    acl too_many sc0_conn_cur gt $each\
    tcp-request connection track-sc0 src if !from_here\
    tcp-request connection reject if crowded { sc0_conn_cur gt $modest }\
    tcp-request connection reject if { sc0_conn_cur gt $far_too_many }\
    http-request return status 429 content-type application/json file too-many.json if too_many\
    http-after-response set-header connection close if crowded || too_many

# Large bodies reach the routers before they are whole, so only a part of the connections may send
# some: else large bodies that never end would keep all routers waiting.
/^frontend http_frontend/i\
backend large_bodies\
    stick-table type integer size 1 store conn_cur
/^frontend http_frontend/a\
    acl large req.body_size gt $large_bytes\
    http-request track-sc1 int(1) table large_bodies if large\
    acl too_many_large sc1_conn_cur(large_bodies) gt $large\
    http-request return status 503 content-type application/json hdr retry-after 1 file too-many-large.json if too_many_large

# Health checks have a door of their own, with room that no other client can take.
/^backend http-waggle$$/i\
frontend health\
    bind unix@health.sock mode 600\
    maxconn $kept\
    http-request deny unless { path_beg /health/ }\
    default_backend http-waggle
