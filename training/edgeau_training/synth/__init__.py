"""AU-labelled synthetic faces, rendered from an ICT-FaceKit folder that the user provides."""
