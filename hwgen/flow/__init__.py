"""What runs on an emitted project: native compile, RTL, simulation, area, proof, Vitis."""
