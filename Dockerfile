# SPDX-License-Identifier: Apache-2.0
# The server, its workers and the CLI, with the shared libraries that they load and nothing else: no shell, no package
# manager. deploy/README.md says how to run it and what it promises. Every builder of Docker 20.10 and later takes it.

# An image with an earlier build stage (docker build --target build): its compiler cache makes this build a quick one.
ARG GROVE_SEED=debian:12
FROM ${GROVE_SEED} AS seed

FROM debian:12 AS build
WORKDIR /src
# From what changes least to what changes most: packages, then sources.
COPY dev ./
# A mirror that fails to hand out one of many packages is asked again.
RUN echo 'Acquire::Retries "5";' >/etc/apt/apt.conf.d/80-retries \
 && ./dev deps build && rm -rf /var/lib/apt/lists/*
COPY --from=seed /root/ /root/
COPY . .
RUN ./dev build release -- programs
# Behind what takes long: another commit with the same sources is only linked anew.
ARG GROVE_REVISION=unknown
RUN cmake -D "GROVE_COMMIT=$GROVE_REVISION" build/release \
 && apt-get -o Acquire::Retries=5 update && ./dev package --runtime \
 && apt-get install -y --no-install-recommends ./build/packages/grove_*.deb && rm -rf /var/lib/apt/lists/*
RUN deploy/docker/lay-out-root grove /image

FROM scratch
COPY --from=build /image/ /
ENV PATH=/usr/bin \
    GROVE_LISTEN=0.0.0.0:7400 \
    GROVE_ADMIN=0.0.0.0:7401
USER 65532:65532
EXPOSE 7400 7401
# The supervisor is process 1: it drains at TERM and reaps its workers.
STOPSIGNAL SIGTERM
ENTRYPOINT ["grove-server"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["grove", "ps"]
ARG GROVE_VERSION=0.1.0
ARG GROVE_REVISION=unknown
LABEL org.opencontainers.image.title="grove" \
      org.opencontainers.image.description="An actor server" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${GROVE_VERSION}" \
      org.opencontainers.image.revision="${GROVE_REVISION}" \
      org.opencontainers.image.base.name="scratch"
