# orderproof as an image: docker build -t orderproof . && docker run --rm orderproof check
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl \
    && rm -r /wheels \
    && useradd --create-home orderproof
USER orderproof
WORKDIR /home/orderproof
ENTRYPOINT ["orderproof"]
CMD ["--help"]
